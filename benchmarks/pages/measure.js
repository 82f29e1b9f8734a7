// Common to all measuring pages. A page's adapter defines `peer`:
//   echo(n) -> Promise, a small call that gives n back (or any small answer)
//   post(text) -> Promise, a call with a body that comes back
//   read() -> Promise<number of bytes>, the big file into this page
//   upload(bytes: Uint8Array) -> Promise<number of bytes>
//   report(line) -> void, one line to the standard output of the program
// performance.now() is rounded to 1 ms by the engine, so every sample is a loop.
const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]

// milliseconds for one call, one after another
async function latency (call, count = 100, rounds = 15) {
  const samples = []
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now()
    for (let n = 0; n < count; n++) await call(n)
    if (round) samples.push((performance.now() - start) / count)
  }
  return median(samples)
}

// calls in a second, `count` at once, ten times for a sample
async function parallel (call, count = 100, rounds = 9) {
  const samples = []
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now()
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: count }, (_, n) => call(n)))
    }
    if (round) samples.push(10 * count / ((performance.now() - start) / 1000))
  }
  return median(samples)
}

// MB (10^6 bytes) in a second; `move` gives the number of bytes that it moved
async function throughput (move, expected, rounds = 5) {
  const samples = []
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now()
    const bytes = await move()
    const seconds = (performance.now() - start) / 1000
    if (bytes !== expected) throw new Error(`moved ${bytes} bytes, expected ${expected}`)
    if (round) samples.push(bytes / 1e6 / seconds)
  }
  return median(samples)
}

async function measure (peer, work) {
  try {
    await peer.ready?.()
    peer.report('BENCH ' + JSON.stringify(await work()))
  } catch (error) {
    peer.report('BENCH ' + JSON.stringify({ error: `${error?.name}: ${error?.message}` }))
  }
}
