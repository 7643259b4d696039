import { Button } from '@mantine/core'
import { IconPhoto } from '@tabler/icons-react'
import { useRef } from 'react'

interface Props {
  label: string
  accept: string
  onChoose: (file: File) => void
}

/** A button that asks for a file. */
export function FileButton({ label, accept, onChoose }: Props) {
  const ref = useRef<HTMLInputElement>(null)
  return (
    <>
      <Button
        variant="default"
        size="sm"
        leftSection={<IconPhoto size={18} aria-hidden />}
        onClick={() => ref.current?.click()}
      >
        {label}
      </Button>
      <input
        ref={ref}
        type="file"
        accept={accept}
        hidden
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          // The same file may be chosen again after it was refused.
          event.currentTarget.value = ''
          if (file) onChoose(file)
        }}
      />
    </>
  )
}
