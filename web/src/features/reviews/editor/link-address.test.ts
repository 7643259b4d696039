import { expect, test } from 'vitest'
import { isLinkAddress } from './link-address'

test.each(['https://example.com', 'http://a/b?c', ' HTTPS://example.com ', 'mailto:ada@example.com'])(
  '%s is linked',
  (address) => expect(isLinkAddress(address)).toBe(true),
)

test.each([
  '',
  undefined,
  null,
  'example.com',
  '//example.com',
  'javascript:x()',
  'data:text/html,x',
  'https://',
  'mailto:',
])('%s is not', (address) => expect(isLinkAddress(address)).toBe(false))
