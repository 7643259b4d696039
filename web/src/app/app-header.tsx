import { Button } from '@mantine/core'
import { IconLogout } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useLocation } from '@tanstack/react-router'
import { SchemeSwitch } from '@/components/scheme-switch'
import { ButtonLink } from '@/components/text-link'
import { client } from '@/lib/client'
import { useSession } from '@/lib/session'
import { hasCommunity } from '@/lib/site'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import styles from './app-header.module.css'
import { Brand } from './brand'
import { MainNav } from './main-nav'

/** The top of every page but those before the gate. */
export function AppHeader() {
  const session = useSession()
  const username = session.status === 'signed-in' ? session.user.username : undefined
  return (
    <header className={styles.header} data-nav={hasCommunity}>
      <div>
        <Brand />
        {hasCommunity && <MainNav username={username} />}
        <SchemeSwitch />
        {username ? <SignOutButton /> : <SignInLink />}
      </div>
    </header>
  )
}

function SignInLink() {
  const next = useLocation({ select: ({ href }) => href })
  return (
    <ButtonLink to="/sign-in" search={{ next }} size="sm">
      {texts.nav.signIn}
    </ButtonLink>
  )
}

function SignOutButton() {
  const signOut = useMutation({
    mutationFn: () => client.logout(),
    onError: () => toast(texts.account.signOutUntold),
  })
  return (
    <Button
      variant="default"
      size="sm"
      leftSection={<IconLogout size={16} aria-hidden />}
      loading={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      {texts.account.signOut}
    </Button>
  )
}
