import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const TEXTS = /\.(js|css|svg)$/

/** Puts `.br` and `.gz` in place of each text of the build: the server sends them as they are. */
export function compressed(): Plugin {
  let dist = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => {
      dist = config.build.outDir
    },
    closeBundle: async () => {
      const names = await readdir(dist, { recursive: true })
      await Promise.all(names.filter((name) => TEXTS.test(name)).map((name) => compress(join(dist, name))))
    },
  }
}

async function compress(path: string): Promise<void> {
  const text = await readFile(path)
  await writeFile(`${path}.br`, await promisify(brotliCompress)(text))
  await writeFile(`${path}.gz`, await promisify(gzip)(text, { level: 9 }))
  await rm(path)
}
