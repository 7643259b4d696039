import { Card } from '@/components/card'
import { Loadable } from '@/components/loadable'
import type { Visibility } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useOwnProfile, useUpdateProfile } from '../api/own-profile'
import styles from './visibility-card.module.css'

const CHOICES = ['public', 'followers_only', 'private'] as const satisfies readonly Visibility[]

/** Who sees the profile and the reviews; a choice holds at once. */
export function VisibilityCard() {
  const profile = useOwnProfile()
  const { visibility, visibilityLead } = texts.publicProfile
  return (
    <Card title={visibility} lead={visibilityLead}>
      <Loadable query={profile} height={216}>
        {({ profile_visibility }) => <Choices current={profile_visibility} />}
      </Loadable>
    </Card>
  )
}

function Choices({ current }: { current: Visibility }) {
  const update = useUpdateProfile()
  // While it is on its way the choice is shown, since it is not yet the truth of others.
  const shown = update.isPending ? (update.variables.profile_visibility ?? current) : current
  const choose = (profile_visibility: Visibility) =>
    update.mutate(
      { profile_visibility },
      { onSuccess: () => toast(texts.publicProfile.saved), onError: toastProblem },
    )
  return (
    <fieldset className={styles.choices}>
      <legend className="visually-hidden">{texts.publicProfile.visibility}</legend>
      {CHOICES.map((choice) => {
        const [label, hint] = texts.publicProfile.visibilities[choice]
        return (
          <label key={choice}>
            <input
              type="radio"
              name="visibility"
              checked={shown === choice}
              disabled={update.isPending && shown !== choice}
              aria-labelledby={`visibility-${choice}-name`}
              aria-describedby={`visibility-${choice}`}
              onChange={() => choose(choice)}
            />
            <span>
              <strong id={`visibility-${choice}-name`}>{label}</strong>
              <span id={`visibility-${choice}`}>{hint}</span>
            </span>
          </label>
        )
      })}
    </fieldset>
  )
}
