/** `fetch` as a page of this origin makes it: with cookies that no script sees, and an Origin. */
export class CookieJar {
  readonly cookies = new Map<string, string>()
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  /** What a script sees. */
  get readable(): string {
    const value = this.cookies.get('csrftoken')
    return value === undefined ? '' : `csrftoken=${value}`
  }

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    request.headers.set('Origin', this.#origin)
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookies) request.headers.set('Cookie', cookies)
    const response = await fetch(request)
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return response
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';')
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    if (value === '') this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}
