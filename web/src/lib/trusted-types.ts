interface Rules {
  createHTML(html: string): string
  createScriptURL(url: string): string
}

let workerUrl: string | undefined
let policy: Rules | undefined

/**
 * The one policy that the server's pages allow, under the name that DOMPurify has for it.
 *
 * DOMPurify alone makes markup with it, and the password's worker alone an address; undefined where the
 * browser knows no Trusted Types.
 */
export function trustedTypesPolicy(): Rules | undefined {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: Rules): Rules }
  }
  policy ??= trustedTypes?.createPolicy('dompurify', {
    createHTML: (html) => html,
    createScriptURL(url) {
      if (url !== workerUrl) throw new TypeError('not the address of the worker')
      return url
    },
  })
  return policy
}

/** The address of the only worker, in the form that `Worker` takes where Trusted Types are enforced. */
export function trustedWorkerUrl(url: string): string {
  workerUrl ??= url
  return trustedTypesPolicy()?.createScriptURL(url) ?? url
}
