import type { Strength } from './judge-strength'
import workerUrl from './strength.worker.ts?worker&url'

export interface Question {
  id: number
  password: string
  personal: readonly string[]
}

export interface Answer {
  id: number
  strength: Strength
}

let worker: Worker | undefined
let lastId = 0

/** Judges a password in a worker of this page; it leaves the browser no more than before. */
export function askStrength(password: string, personal: readonly string[]): Promise<Strength> {
  worker ??= new Worker(trusted(workerUrl), { type: 'module' })
  const asked = worker
  lastId += 1
  const question: Question = { id: lastId, password, personal }
  return new Promise((resolve, reject) => {
    const receive = ({ data }: MessageEvent<Answer>) => {
      if (data.id !== question.id) return
      asked.removeEventListener('message', receive)
      resolve(data.strength)
    }
    asked.addEventListener('message', receive)
    asked.addEventListener('error', reject, { once: true })
    asked.postMessage(question)
  })
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string }
}

/** Where Trusted Types are enforced, a worker's address must come out of a policy; ours knows this one only. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  const only = (asked: string) => {
    if (asked !== url) throw new TypeError('not the address of the worker')
    return asked
  }
  return trustedTypes?.createPolicy('strength-worker', { createScriptURL: only }).createScriptURL(url) ?? url
}
