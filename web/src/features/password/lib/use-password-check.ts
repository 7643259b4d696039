import { texts } from '@/lib/texts'
import { usePasswordPolicy } from '../api/password-policy'
import { isRefused } from './rules'

/** What is wrong with a password before the server is asked; undefined when it may pass. */
export function usePasswordCheck(): (password: string, personal: readonly string[]) => string | undefined {
  const policy = usePasswordPolicy()
  return (password, personal) =>
    policy.data && isRefused(policy.data, password, personal) ? texts.field.passwordRule : undefined
}
