import { Button } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { Avatar } from '@/components/avatar'
import { Card } from '@/components/card'
import { Loadable } from '@/components/loadable'
import type { OwnProfile } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useRemoveAvatar } from '../api/avatar'
import { useOwnProfile } from '../api/own-profile'
import { faultOf } from '../lib/picture-file'
import styles from './avatar-card.module.css'
import { FileButton } from './file-button'

const CropDialog = lazy(async () => ({ default: (await import('./crop-dialog')).CropDialog }))

/** One's picture: another one, or none. */
export function AvatarCard() {
  const profile = useOwnProfile()
  return (
    <Card title={texts.avatar.title} lead={texts.avatar.lead}>
      <Loadable query={profile} height={96}>
        {(own) => <Picture profile={own} />}
      </Loadable>
    </Card>
  )
}

function Picture({ profile: { username, avatar_url } }: { profile: OwnProfile }) {
  const [image, setImage] = useState<ImageBitmap>()
  const [fault, setFault] = useState<string>()
  const choose = async (file: File) => {
    setFault(undefined)
    const found = await faultOf(file)
    if (found) return setFault(texts.avatar[found])
    try {
      setImage(await createImageBitmap(file))
    } catch {
      setFault(texts.avatar.broken)
    }
  }
  const close = () => {
    image?.close()
    setImage(undefined)
  }
  return (
    <div className={styles.picture}>
      <Avatar username={username} url={avatar_url} size="large" />
      <div>
        <div className={styles.actions}>
          <FileButton
            label={avatar_url ? texts.avatar.change : texts.avatar.choose}
            accept="image/jpeg,image/png,image/webp"
            onChoose={(file) => void choose(file)}
          />
          {avatar_url && <RemoveButton />}
        </div>
        <p role="alert" className={styles.fault}>
          {fault}
        </p>
      </div>
      {image && (
        <Suspense fallback={<p role="status">{texts.avatar.loading}</p>}>
          <CropDialog image={image} onClose={close} />
        </Suspense>
      )}
    </div>
  )
}

function RemoveButton() {
  const remove = useRemoveAvatar()
  const run = () =>
    remove.mutate(undefined, { onSuccess: () => toast(texts.avatar.removed), onError: toastProblem })
  return (
    <Button variant="subtle" color="danger" size="sm" loading={remove.isPending} onClick={run}>
      {texts.avatar.remove}
    </Button>
  )
}
