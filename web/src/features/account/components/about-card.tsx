import { Badge } from '@mantine/core'
import { Card } from '@/components/card'
import { Facts } from '@/components/facts'
import { Loadable } from '@/components/loadable'
import { TextLink } from '@/components/text-link'
import { texts } from '@/lib/texts'
import { formatDay } from '@/lib/time'
import { useMe } from '../api/me'

/** Username, address and since when. */
export function AboutCard() {
  const me = useMe()
  return (
    <Card title={texts.profile.about}>
      <Loadable query={me} height={108}>
        {(user) => (
          <Facts>
            <dt>{texts.field.username}</dt>
            <dd>{user.username}</dd>
            <dt>{texts.field.email}</dt>
            <dd>
              <span className="breakable">{user.email}</span>
              {user.email_verified && (
                <Badge variant="light" size="sm" tt="none">
                  {texts.profile.verified}
                </Badge>
              )}
              <TextLink to="/account/email" size="sm">
                {texts.profile.change}
              </TextLink>
            </dd>
            <dt>{texts.profile.since}</dt>
            <dd>{formatDay(user.date_joined)}</dd>
          </Facts>
        )}
      </Loadable>
    </Card>
  )
}
