import { useState } from 'react'
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
  // Shown from the click on: what React Query tells of the call comes a moment later.
  const [chosen, setChosen] = useState<Visibility>()
  const shown = chosen ?? current
  const choose = (profile_visibility: Visibility) => {
    setChosen(profile_visibility)
    update.mutate(
      { profile_visibility },
      {
        onSuccess: () => toast(texts.publicProfile.saved),
        onError: toastProblem,
        onSettled: () => setChosen(undefined),
      },
    )
  }
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
              disabled={chosen !== undefined && chosen !== choice}
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
