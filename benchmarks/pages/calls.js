await measure(peer, async () => ({
  latency_ms: await latency(peer.echo),
  ...(peer.thread ? { thread_ms: await latency(peer.thread) } : {}),
  parallel_per_s: await parallel(peer.echo),
  ...(peer.thread ? { thread_per_s: await parallel(peer.thread) } : {}),
  ...(peer.post ? { post_1k_ms: await latency(() => peer.post('x'.repeat(1024))) } : {})
}))
