import ipc from 'socket:ipc'

const $ = (id) => document.getElementById(id)
const status = (text) => { $('status').value = text }

let search = null

function row (title, detail, open) {
  const item = document.createElement('li')
  const button = document.createElement('button')
  button.append(title)
  const small = document.createElement('small')
  small.textContent = detail
  button.append(small)
  button.addEventListener('click', open)
  item.append(button)
  return item
}

async function open (name) {
  $('name').value = name
  $('text').value = await ipc.call('notes.read', { name })
  status('')
}

async function showAll () {
  const notes = await ipc.call('notes.list')
  $('list').replaceChildren(...notes.map((note) => {
    const when = new Date(note.modified * 1000).toLocaleString()
    return row(note.name, `${note.words} words · ${when}`, () => open(note.name))
  }))
}

async function showHits (words) {
  search?.abort()
  search = new AbortController()
  const { signal } = search
  $('list').replaceChildren()
  try {
    for await (const hit of ipc.stream('notes.search', { words }, { signal })) {
      $('list').append(row(hit.text, `${hit.name}, line ${hit.line}`, () => open(hit.name)))
    }
  } catch (error) {
    if (!signal.aborted) status(error.message)
  }
}

async function save () {
  try {
    const note = await ipc.call('notes.save', { name: $('name').value.trim(), text: $('text').value })
    status(`Saved, ${note.words} words`)
  } catch (error) {
    status(error.message)
  }
}

$('save').addEventListener('click', save)
$('add').addEventListener('click', () => {
  $('name').value = $('text').value = ''
  $('name').focus()
})
$('remove').addEventListener('click', async () => {
  await ipc.call('notes.remove', { name: $('name').value })
  $('name').value = $('text').value = ''
})
$('search').addEventListener('input', (event) => {
  const words = event.target.value.trim()
  if (words) showHits(words)
  else showAll()
})
window.addEventListener('notes-changed', () => { if (!$('search').value.trim()) showAll() })
window.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 's') {
    event.preventDefault()
    save()
  }
})

await showAll()
