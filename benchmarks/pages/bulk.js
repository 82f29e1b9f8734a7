// peer.size: bytes of the file; peer.uploadSize: bytes to upload
await measure(peer, async () => {
  const result = {}
  const bytes = peer.upload ? new Uint8Array(peer.uploadSize) : null
  const rounds = peer.rounds ?? 5
  if (peer.read) result.read_mb_s = await throughput(peer.read, peer.size, rounds)
  if (peer.http) result.http_mb_s = await throughput(peer.http, peer.size, rounds)
  if (peer.upload) result.upload_mb_s = await throughput(() => peer.upload(bytes), peer.uploadSize, rounds)
  return result
})
