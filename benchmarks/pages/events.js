// peer.listen(seen) -> Promise: `seen` is called once for every event from now on
// peer.flood(count) -> Promise: makes the program send `count` events
await measure(peer, async () => {
  const count = peer.events ?? 20000
  let left = 0
  let done = () => {}
  await peer.listen(() => { if (--left === 0) done() })
  const samples = []
  for (let round = 0; round <= 7; round++) {
    left = count
    const all = new Promise(resolve => { done = resolve })
    const start = performance.now()
    await peer.flood(count)
    await all
    if (round) samples.push(count / ((performance.now() - start) / 1000))
  }
  return { events_per_s: median(samples), count }
})
