import fs from 'socket:fs/promises'
import os from 'socket:os'
import process from 'socket:process'

const $ = (id) => document.getElementById(id)

/** Read a file of the app and show it. The policy in index.html allows `ipc://fs.readFile`. */
async function showSource () {
  const started = performance.now()
  const source = await fs.readFile('index.html', 'utf8')
  const took = performance.now() - started

  $('source').textContent = source
  $('status').textContent = `${source.length} characters in ${took.toFixed(1)} ms`
  $('status').className = 'good'
  console.log(`read index.html: ${source.length} characters`)
}

/** What this runs on. The policy allows `ipc://os.info`. */
async function showVersions () {
  const { type, release } = await os.info()
  const { 'socket-runtime': runtime, python } = process.versions

  $('versions').textContent = `Socket Runtime ${runtime} · Python ${python} · ${type} ${release}`
}

window.addEventListener('DOMContentLoaded', async () => {
  try {
    await Promise.all([showSource(), showVersions()])
  } catch (error) {
    $('status').textContent = error.message // names the line that is missing
    $('status').className = 'bad'
    throw error
  }
})
