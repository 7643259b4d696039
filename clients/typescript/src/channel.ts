import type { Channel } from './environment.js'

/** Opens the way to the other tabs: BroadcastChannel, or storage events in a Safari before 15.4. */
export function openChannel(name: string, receive: (message: unknown) => void): Channel | null {
  if (typeof BroadcastChannel === 'function') return openBroadcastChannel(name, receive)
  return openStorageChannel(name, receive)
}

function openBroadcastChannel(name: string, receive: (message: unknown) => void): Channel | null {
  try {
    const channel = new BroadcastChannel(name)
    channel.onmessage = (event) => receive(event.data)
    return { post: (message) => channel.postMessage(message), close: () => channel.close() }
  } catch {
    // Browsers refuse it to a page in a foreign frame.
    return null
  }
}

/**
 * Storage events reach every other tab. What is written there lies on disk for a moment, so tokens are left
 * out; a tab that hears of a session without one asks the server.
 */
function openStorageChannel(name: string, receive: (message: unknown) => void): Channel | null {
  const listen = (event: StorageEvent) => {
    if (event.key === name && event.newValue) receive(parse(event.newValue))
  }
  try {
    const storage = localStorage
    addEventListener('storage', listen)
    return {
      post(message) {
        const plain = { ...(message as object), access: undefined, nonce: Math.random() }
        try {
          storage.setItem(name, JSON.stringify(plain))
          storage.removeItem(name)
        } catch {
          // Full or forbidden: the other tabs will hear it from the server.
        }
      },
      close: () => removeEventListener('storage', listen),
    }
  } catch {
    return null
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
