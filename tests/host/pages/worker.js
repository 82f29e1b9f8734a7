fetch('ipc://describe').then(reply => reply.json()).then(data => postMessage(data.method === 'GET' ? 'ok' : 'odd'), error => postMessage(String(error)))
