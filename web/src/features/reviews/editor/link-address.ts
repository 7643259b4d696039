/** Whether a link may lead there: the web and mail, as the server keeps them. */
export function isLinkAddress(address: string | undefined | null): boolean {
  return /^(https?:\/\/[^\s/]|mailto:[^\s@]+@[^\s@])/i.test(address?.trim() ?? '')
}
