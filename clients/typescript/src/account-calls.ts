import type { Core } from './core.js'
import type { SignIn } from './sign-in.js'
import type { Account, DeleteResponse, Message, PortcullisClient, SessionInfo } from './types.js'
import { userOf } from './user.js'

type AccountCalls = Omit<
  PortcullisClient,
  | 'baseUrl'
  | 'getSession'
  | 'subscribe'
  | 'restore'
  | 'close'
  | 'login'
  | 'verifyEmail'
  | 'logout'
  | 'fetch'
  | 'request'
>

/** The calls that are no more than a path and a body. `request` makes them in the user's name. */
export function accountCalls(core: Core, signIn: SignIn, request: PortcullisClient['request']): AccountCalls {
  const api = '/api/auth/'
  /** Calls that need no session must not wait for one. */
  const open = <T>(method: string, path: string, body?: unknown) =>
    core.http.json<T>({ method, path: `${api}${path}`, body })
  const mine = <T>(method: string, path: string, body?: unknown) => request<T>(method, `${api}${path}`, body)

  /** Shows the page what the server says of the user, unless that is another one by now. */
  async function account(call: Promise<Account>): Promise<Account> {
    const answer = await call
    if (core.session.user?.id === answer.id) core.session.setUser(userOf(answer))
    return answer
  }

  async function leaving<T>(call: Promise<T>): Promise<T> {
    const { epoch } = core.session
    const answer = await call
    if (core.session.epoch === epoch) await signIn.forget()
    return answer
  }

  return {
    register: (input) => open('POST', 'register/', input),
    resendVerification: (email) => open('POST', 'resend-verification/', { email }),
    requestPasswordReset: (email) => open('POST', 'password-reset/', { email }),
    confirmPasswordReset: (token, password) => open('POST', 'password-reset/confirm/', { token, password }),
    confirmEmailChange: (token) => open('POST', 'email-change/confirm/', { token }),
    passwordPolicy: () => open('GET', 'password-policy/'),

    me: () => account(mine('GET', 'me/')),
    updateMe: (names) => account(mine('PATCH', 'me/', names)),
    exportMe: () => mine('GET', 'me/export/'),
    deleteMe: (password) => leaving(mine<DeleteResponse>('DELETE', 'me/', { password })),
    logoutAll: () => leaving(mine<Message>('POST', 'logout-all/')).then(() => undefined),
    changePassword: (current, next) =>
      mine('POST', 'change-password/', { current_password: current, new_password: next }),
    requestEmailChange: (email, password) => mine('POST', 'email-change/', { email, password }),
    sessions: async () => (await mine<{ results: SessionInfo[] }>('GET', 'sessions/')).results,
    endSession: (id) => mine('DELETE', `sessions/${encodeURIComponent(id)}/`),
  }
}
