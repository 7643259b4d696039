import { Button, TextInput } from '@mantine/core'
import type { Editor } from '@tiptap/core'
import { useState } from 'react'
import { Dialog } from '@/components/dialog'
import { texts } from '@/lib/texts'
import { isLinkAddress } from './link-address'
import styles from './link-dialog.module.css'

const t = texts.editor

/** Asks where what is selected shall lead. */
export function LinkDialog({
  editor,
  isOpen,
  onClose,
}: {
  editor: Editor
  isOpen: boolean
  onClose: () => void
}) {
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t.linkTitle}>
      <LinkFields editor={editor} onClose={onClose} />
    </Dialog>
  )
}

function LinkFields({ editor, onClose }: { editor: Editor; onClose: () => void }) {
  const current: string = editor.getAttributes('link').href ?? ''
  const [address, setAddress] = useState(current || 'https://')
  const [error, setError] = useState<string>()
  const set = () => {
    if (!isLinkAddress(address)) return setError(t.linkRule)
    onClose()
    setLink(editor, address.trim())
  }
  const remove = () => {
    onClose()
    editor.chain().focus().extendMarkRange('link').unsetLink().run()
  }
  return (
    <div className={styles.fields}>
      <TextInput
        type="url"
        inputMode="url"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        label={t.linkAddress}
        description={t.linkHint}
        error={error}
        value={address}
        onChange={(event) => setAddress(event.currentTarget.value)}
        onKeyDown={(event) => {
          // It stands within the form of the review, which Enter would send.
          if (event.key !== 'Enter') return
          event.preventDefault()
          set()
        }}
      />
      <div className="dialog-actions">
        {current && (
          <Button variant="subtle" color="danger" onClick={remove}>
            {t.linkRemove}
          </Button>
        )}
        <Button variant="default" onClick={onClose}>
          {t.cancel}
        </Button>
        <Button onClick={set}>{t.linkSet}</Button>
      </div>
    </div>
  )
}

/** Links what is selected, or writes the address where nothing is. */
function setLink(editor: Editor, href: string): void {
  const chain = editor.chain().focus()
  if (editor.state.selection.empty && !editor.isActive('link')) {
    chain.insertContent({ type: 'text', text: href, marks: [{ type: 'link', attrs: { href } }] }).run()
  } else {
    chain.extendMarkRange('link').setLink({ href }).run()
  }
}
