import { EditorContent, useEditor } from '@tiptap/react'
import { contentOf, dropHtml, htmlOf, pasteHtml } from './content'
import { EXTENSIONS } from './extensions'
import styles from './rich-text.module.css'
import { Toolbar } from './toolbar'

/** Of the editor. */
export interface RichTextProps {
  /** HTML to begin with. */
  initial: string
  onChange: (html: string) => void
  labelId: string
  errorId: string | undefined
}

/** A text with the formatting that reviews may have. */
export function RichText({ initial, onChange, labelId, errorId }: RichTextProps) {
  const editor = useEditor({
    extensions: EXTENSIONS,
    content: contentOf(initial),
    injectCSS: false,
    enableContentCheck: false,
    editorProps: {
      attributes: {
        role: 'textbox',
        'aria-multiline': 'true',
        'aria-labelledby': labelId,
        ...(errorId && { 'aria-invalid': 'true', 'aria-describedby': errorId }),
      },
      handleDOMEvents: { paste: pasteHtml, drop: dropHtml },
    },
    onUpdate: ({ editor: changed }) => onChange(htmlOf(changed)),
  })
  return (
    <div className={styles.editor} data-error={Boolean(errorId)}>
      <Toolbar editor={editor} />
      <EditorContent editor={editor} />
    </div>
  )
}
