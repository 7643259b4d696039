import type { components } from './schema.js'

type Schemas = components['schemas']

/** The caller's account as `GET /api/auth/me/` shows it. */
export type Account = Schemas['Me']
/** Who is signed in. What a login does not tell (`date_joined`) is in {@link Account}. */
export type User = Omit<Account, 'date_joined'>
/** Who has just signed in. */
export type SignedInUser = User & {
  /** The account was about to be deleted; this login has undone that. */
  deletion_undone?: true
}
/** What registering takes. */
export type RegisterInput = Schemas['RegisterRequest']
/** The answer to registering: nobody is signed in yet, the address has to be verified first. */
export type RegisterResponse = Schemas['RegisterResponse']
/** A username (or a verified address) and a password. */
export type Credentials = Schemas['LoginRequest']
/** A sentence for the user. */
export type Message = Schemas['Message']
/** Until when deleting the account can be undone, by signing in. */
export type DeleteResponse = Schemas['DeleteResponse']
/** One place where the user is signed in. */
export type SessionInfo = Schemas['Session']
/** The rules for passwords, each as a sentence. */
export type PasswordPolicy = Schemas['PasswordPolicyResponse']
/** The names that a user may change; what is left out stays. */
export type NamesInput = Schemas['MePatch']
/** What proves an address: the link's token, or the address and the eight digits of the mail. */
export type VerifyEmailInput = { token: string } | { email: string; code: string }

/**
 * Where the refresh token lives: in a variable, a script's storage or the system's key store (`body`), or in
 * a cookie that no script can read (`cookie`).
 */
export type AuthMode = 'body' | 'cookie'

/** Keeps the refresh token in body mode. It never sees an access token. */
export interface TokenStorage {
  /** The token that was kept last, or null. */
  get(): string | null | Promise<string | null>
  /** Keeps a token; null forgets it. */
  set(token: string | null): void | Promise<void>
}

/** How a client is set up. Everything has a default in a browser whose page and API share an origin. */
export interface ClientOptions {
  /** The server's address, `https://accounts.example.com`. Default: the page's own origin. */
  baseUrl?: string
  /** Default: `cookie` on a page of the server's own origin, otherwise `body`. */
  mode?: AuthMode
  /** Body mode only. Default: memory, which a reload forgets. */
  storage?: TokenStorage
  /** Further origins that are given the access token, `https://api.example.com`; no other origin ever is. */
  apiOrigins?: readonly string[]
  /** Default: the global `fetch`. */
  fetch?: typeof fetch
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/**
 * Why nobody is signed in: there was no session (`never`), somebody signed out here or in another tab
 * (`signed-out`), or the server refused to renew the session (`expired`).
 */
export type SignedOutReason = 'never' | 'signed-out' | 'expired'

/** What is known about the session. `unknown` until {@link PortcullisClient.restore} or a sign-in has ended. */
export type SessionState =
  | { readonly status: 'unknown' }
  | { readonly status: 'signed-out'; readonly reason?: SignedOutReason }
  | { readonly status: 'signed-in'; readonly user: User }

/**
 * The session of a user, and calls in their name. Every method may be passed around without its object.
 *
 * Methods reject with `ApiError` when the server refuses and with `NetworkError` when it was not
 * reached.
 */
export interface PortcullisClient {
  /** The server's address, without a slash at the end. */
  readonly baseUrl: string
  /** The session now; the same object until it changes. */
  getSession(): SessionState
  /** Calls `listener` after every change; returns the function that ends it. */
  subscribe(listener: () => void): () => void
  /**
   * Finds out on page load whether a session is still there. Without network it rejects with
   * `NetworkError` and the state stays `unknown`: call it again. In cookie mode it asks the server only
   * in a browser in which somebody has signed in through this client.
   */
  restore(): Promise<SessionState>
  /** Ends what the client listens to. For tests and for pages that make several clients. */
  close(): void

  /** Makes an account and mails its owner a link and a code. */
  register(input: RegisterInput): Promise<RegisterResponse>
  /** Signs in, here and in the other tabs. The answer alone says whether that undid a deletion. */
  login(credentials: Credentials): Promise<SignedInUser>
  /**
   * Signs out in all tabs at once, then tells the server. When the server is not reached it rejects, although
   * everybody is signed out here; in cookie mode the next `restore` or `login` makes up for it.
   */
  logout(): Promise<void>
  /** Ends every session of the user on every device. */
  logoutAll(): Promise<void>
  /** Proves an address with what the mail said, and signs its owner in. */
  verifyEmail(proof: VerifyEmailInput): Promise<User>
  /** Mails a new link and code, if the address waits for one; the answer does not say. */
  resendVerification(email: string): Promise<Message>
  /** Mails a reset link, if the address has an account; the answer does not say. */
  requestPasswordReset(email: string): Promise<Message>
  /** Sets a new password with the token of the link. Every session of the account ends. */
  confirmPasswordReset(token: string, password: string): Promise<Message>
  /** Sets a new password. The user's other sessions end, this one stays. */
  changePassword(current: string, next: string): Promise<Message>
  /** The account, fresh from the server. */
  me(): Promise<Account>
  /** Changes the user's names. */
  updateMe(names: NamesInput): Promise<Account>
  /** Deletes the account after a grace and signs out. A login within the grace undoes it. */
  deleteMe(password: string): Promise<DeleteResponse>
  /** Everything that the server knows about the user. */
  exportMe(): Promise<unknown>
  /** Mails a link to a new address. */
  requestEmailChange(email: string, password: string): Promise<Message>
  /** Makes the new address the account's, with the token of the link. */
  confirmEmailChange(token: string): Promise<Message>
  /** Where the user is signed in. */
  sessions(): Promise<SessionInfo[]>
  /** Ends one of them. */
  endSession(id: number): Promise<void>
  /** The rules for passwords. */
  passwordPolicy(): Promise<PasswordPolicy>

  /**
   * `fetch` with the user's access token, which is renewed before it runs out and after a 401; the call is
   * then repeated once. Resolves for every HTTP status. When the session cannot be renewed for a while, the
   * answer is the server's 429 or 503 with its Retry-After.
   *
   * A path is taken from `baseUrl`. An origin other than `baseUrl`'s, the page's and `apiOrigins` gets the
   * call without a token.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** JSON to JSON: `request<Book>('POST', '/api/books/', { title })`. */
  request<T>(method: string, path: string, body?: unknown): Promise<T>
}
