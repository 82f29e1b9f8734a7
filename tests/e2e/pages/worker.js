const tag = new URLSearchParams(location.search).get('tag')
fetch(`ipc://probe.act?tag=${tag}`).then((response) => response.status, () => 0)
  .then((status) => postMessage({ tag, status, runtime: globalThis[Symbol.for('socket.runtime')] !== undefined }))
