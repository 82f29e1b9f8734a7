(async () => {
  const said = { preloaded: globalThis.preloaded }
  said.allowed = await fetch('ipc://describe').then(() => 'ok', error => String(error))
  said.forbidden = await fetch('ipc://forbidden.call').then(() => 'answered', () => 'refused')
  await fetch('ipc://tell', { method: 'POST', body: JSON.stringify(said) })
})()
