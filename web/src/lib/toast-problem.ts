import { toProblem } from './problem'
import { texts } from './texts'
import { formatWait } from './time'
import { toast } from './toasts'

/** Says in passing what went wrong, where there is no form to say it in. */
export function toastProblem(error: unknown): void {
  const { retryAt, messages } = toProblem(error, [])
  const wait = retryAt ? Math.ceil((retryAt - Date.now()) / 1000) : 0
  toast(wait > 0 ? texts.problem.wait(formatWait(wait)) : (messages[0] ?? texts.problem.unknown))
}
