import { createClient } from 'portcullis-client'

/** The only connection to the server: same origin, refresh token in a cookie that scripts cannot read. */
export const client = createClient()
