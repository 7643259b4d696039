let hasNavigated = false

/** Notes that the visitor has gone from one page to another. */
export function noteNavigation(): void {
  hasNavigated = true
}

/** Whether this is the page that the browser loaded, whose focus is the browser's own affair. */
export function isFirstPage(): boolean {
  return !hasNavigated
}
