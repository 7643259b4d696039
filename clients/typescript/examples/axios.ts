// axios on top of client.fetch: token, renewal and the one repetition come with it, no interceptor needed.
import axios from 'axios'
import { createClient } from 'portcullis-client'

const client = createClient({ baseUrl: 'https://accounts.example.com' })

export const api = axios.create({
  baseURL: 'https://accounts.example.com/api',
  adapter: 'fetch',
  env: { fetch: client.fetch },
})

// An interceptor for what is left to do: to leave the page when the session is over.
api.interceptors.response.use(undefined, (error) => {
  if (client.getSession().status === 'signed-out') location.assign('/login')
  return Promise.reject(error)
})
