/** Bytes of an upload, at most, as the server has it. */
export const MAX_BYTES = 5 * 1024 * 1024

/** What is wrong with a file that should be a picture. */
export type PictureFault = 'empty' | 'tooLarge' | 'wrongType'

/** Judges a file by its size and its first bytes, as the server does; its name says nothing. */
export async function faultOf(file: Blob): Promise<PictureFault | undefined> {
  if (file.size === 0) return 'empty'
  if (file.size > MAX_BYTES) return 'tooLarge'
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer())
  return isPicture(bytes) ? undefined : 'wrongType'
}

function isPicture(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes)
  const isJpeg = text.startsWith('\xff\xd8\xff')
  const isPng = text.startsWith('\x89PNG\r\n\x1a\n')
  const isWebp = text.startsWith('RIFF') && text.slice(8) === 'WEBP'
  return isJpeg || isPng || isWebp
}
