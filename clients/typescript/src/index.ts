export { createClient } from './client.js'
export { ApiError, type ApiErrorInit, NetworkError } from './errors.js'
export type { components, paths } from './schema.js'
export type {
  Account,
  AuthMode,
  ClientOptions,
  Credentials,
  DeleteResponse,
  Message,
  NamesInput,
  PasswordPolicy,
  PortcullisClient,
  RegisterInput,
  RegisterResponse,
  SessionInfo,
  SessionState,
  SignedInUser,
  SignedOutReason,
  TokenStorage,
  User,
  VerifyEmailInput,
} from './types.js'
