import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconBold,
  IconItalic,
  IconLink,
  IconList,
  IconListNumbers,
  IconUnderline,
} from '@tabler/icons-react'
import type { Editor } from '@tiptap/core'
import { useEditorState } from '@tiptap/react'
import { type KeyboardEvent, useRef, useState } from 'react'
import { texts } from '@/lib/texts'
import { LinkDialog } from './link-dialog'
import styles from './toolbar.module.css'

const t = texts.editor

const TOOLS = [
  { name: 'bold', label: t.bold, Icon: IconBold, run: (e: Editor) => e.chain().focus().toggleBold().run() },
  {
    name: 'italic',
    label: t.italic,
    Icon: IconItalic,
    run: (e: Editor) => e.chain().focus().toggleItalic().run(),
  },
  {
    name: 'underline',
    label: t.underline,
    Icon: IconUnderline,
    run: (e: Editor) => e.chain().focus().toggleUnderline().run(),
  },
  {
    name: 'bulletList',
    label: t.bulletList,
    Icon: IconList,
    run: (e: Editor) => e.chain().focus().toggleBulletList().run(),
  },
  {
    name: 'orderedList',
    label: t.orderedList,
    Icon: IconListNumbers,
    run: (e: Editor) => e.chain().focus().toggleOrderedList().run(),
  },
] as const

/** What can be done to the text. One stop of the Tab key; arrow keys go from button to button. */
export function Toolbar({ editor }: { editor: Editor }) {
  const [isLinking, setIsLinking] = useState(false)
  const ref = useRef<HTMLDivElement>(null)
  const state = useEditorState({
    editor,
    selector: ({ editor: now }) => ({
      active: [...TOOLS.map(({ name }) => name), 'link'].filter((name) => now.isActive(name)),
      canUndo: now.can().undo(),
      canRedo: now.can().redo(),
    }),
  })
  const buttons = [
    ...TOOLS.map((tool) => ({ ...tool, run: () => void tool.run(editor) })),
    { name: 'link', label: t.link, Icon: IconLink, run: () => setIsLinking(true) },
    {
      name: 'undo',
      label: t.undo,
      Icon: IconArrowBackUp,
      run: () => void editor.chain().focus().undo().run(),
    },
    {
      name: 'redo',
      label: t.redo,
      Icon: IconArrowForwardUp,
      run: () => void editor.chain().focus().redo().run(),
    },
  ]
  const isOff = (name: string) => (name === 'undo' && !state.canUndo) || (name === 'redo' && !state.canRedo)
  return (
    <>
      <div
        ref={ref}
        role="toolbar"
        aria-label={t.toolbar}
        className={styles.toolbar}
        onKeyDown={(event) => moveFocus(event, ref.current)}
      >
        {buttons.map(({ name, label, Icon, run }, index) => (
          <button
            key={name}
            type="button"
            title={label}
            aria-label={label}
            aria-pressed={['undo', 'redo'].includes(name) ? undefined : state.active.includes(name)}
            aria-disabled={isOff(name)}
            tabIndex={index === 0 ? 0 : -1}
            onClick={run}
          >
            <Icon size={18} aria-hidden />
          </button>
        ))}
      </div>
      <LinkDialog editor={editor} isOpen={isLinking} onClose={() => setIsLinking(false)} />
    </>
  )
}

function moveFocus(event: KeyboardEvent, toolbar: HTMLDivElement | null): void {
  const buttons = [...(toolbar?.querySelectorAll('button') ?? [])]
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
  const last = buttons.length - 1
  const targets: Record<string, number> = {
    ArrowRight: at === last ? 0 : at + 1,
    ArrowLeft: at === 0 ? last : at - 1,
    Home: 0,
    End: last,
  }
  const target = buttons[targets[event.key] ?? -1]
  if (at < 0 || !target) return
  event.preventDefault()
  for (const button of buttons) button.tabIndex = button === target ? 0 : -1
  target.focus()
}
