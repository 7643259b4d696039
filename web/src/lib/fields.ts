import * as z from 'zod/mini'
import { texts } from './texts'

const filled = z.minLength(1, texts.required)

/** What forms check before they ask; the server has the last word. */
export const fields = {
  username: z.string().check(filled, z.regex(/^[A-Za-z0-9_]{3,150}$/, texts.field.usernameRule)),
  login: z.string().check(filled),
  email: z.string().check(filled, z.regex(/^\s*[^\s@]+@[^\s@]+\s*$/, texts.field.emailRule)),
  password: z.string().check(filled),
  code: z.string().check(filled, z.regex(/^\s*(\d[\s-]*){8}$/, texts.field.codeRule)),
  name: z
    .string()
    .check(z.maxLength(150, texts.field.nameRule), z.regex(/^(?!.*:\/\/)[^<>]*$/, texts.field.nameRule)),
}

/** A code without the blanks that people type or paste. */
export function digitsOf(code: string): string {
  return code.replace(/\D/g, '')
}
