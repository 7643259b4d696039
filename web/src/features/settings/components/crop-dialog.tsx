import { Button } from '@mantine/core'
import { useState } from 'react'
import { Dialog } from '@/components/dialog'
import { ProblemAlert } from '@/components/problem-alert'
import { type Problem, toProblem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useUploadAvatar } from '../api/avatar'
import { middleOf } from '../lib/crop'
import { cut } from '../lib/draw'
import { Cropper } from './cropper'

/** Asks which part of a picture to show, and sends it. */
export function CropDialog({ image, onClose }: { image: ImageBitmap; onClose: () => void }) {
  const [crop, setCrop] = useState(() => middleOf(image))
  const [problem, setProblem] = useState<Problem>()
  const upload = useUploadAvatar()
  const save = async () => {
    setProblem(undefined)
    try {
      const picture = await cut(image, crop)
      if (!picture) throw new Error('the browser made no file')
      await upload.mutateAsync(picture)
      toast(texts.avatar.saved)
      onClose()
    } catch (error) {
      setProblem(toProblem(error, []))
    }
  }
  return (
    <Dialog isOpen onClose={onClose} title={texts.avatar.cropTitle}>
      <p>{texts.avatar.hint}</p>
      <Cropper image={image} crop={crop} onChange={setCrop} />
      <ProblemAlert problem={problem} />
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose}>
          {texts.avatar.cancel}
        </Button>
        <Button loading={upload.isPending} onClick={() => void save()}>
          {texts.avatar.save}
        </Button>
      </div>
    </Dialog>
  )
}
