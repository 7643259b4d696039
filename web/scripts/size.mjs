// Adds up what a browser loads, compressed, before /sign-in is drawn, and fails above the limit.
import { existsSync, readFileSync, statSync } from 'node:fs'

const LIMIT = 230_000
const ENTRIES = ['index.html', 'src/features/auth/routes/sign-in.tsx']
const DIST = new URL('../dist/', import.meta.url)

const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', DIST), 'utf8'))
const files = new Set(['index.html'])
for (const entry of ENTRIES) collect(entry)
// The one style sheet of all pages.
files.add(manifest['style.css'].file)

const sizes = [...files].map((file) => {
  const compressed = new URL(`${file}.gz`, DIST)
  return [file, statSync(existsSync(compressed) ? compressed : new URL(file, DIST)).size]
})
sizes.sort(([, left], [, right]) => right - left)
for (const [file, size] of sizes.slice(0, 8)) console.log(`${kilobytes(size)}  ${file}`)

const total = sizes.reduce((sum, [, size]) => sum + size, 0)
console.log(
  `${kilobytes(total)}  in ${sizes.length} files before /sign-in is drawn; the limit is ${kilobytes(LIMIT).trim()}`,
)
if (total > LIMIT) process.exit(1)

function collect(key) {
  const chunk = manifest[key]
  if (!chunk) throw new Error(`${key} is not in the build`)
  if (files.has(chunk.file)) return
  files.add(chunk.file)
  for (const css of chunk.css ?? []) files.add(css)
  for (const imported of chunk.imports ?? []) collect(imported)
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(6)} kB`
}
