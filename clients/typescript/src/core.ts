import type { Credential } from './credential.js'
import type { Environment } from './environment.js'
import type { Http } from './http.js'
import type { Session } from './session.js'
import type { SessionMark } from './session-mark.js'
import type { TabLock } from './tab-lock.js'

/** What the parts of one client share. */
export interface Core {
  readonly environment: Environment
  readonly http: Http
  readonly session: Session
  readonly credential: Credential
  /** Held by whatever may change the refresh token. */
  readonly lock: TabLock
  readonly mark: SessionMark
}
