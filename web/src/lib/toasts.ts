import { Store } from './store'

export interface Toast {
  id: number
  text: string
}

/** How long a toast stays, in milliseconds; hovering or focusing the list keeps it. */
export const TOAST_TIME = 6000

let lastId = 0

export const toasts = new Store<readonly Toast[]>([])

/** Says something in passing, at the edge of the page. */
export function toast(text: string): void {
  lastId += 1
  toasts.set([...toasts.get().slice(-2), { id: lastId, text }])
}

/** Takes a toast away. */
export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id))
}
