import { type Editor, getSchema } from '@tiptap/core'
import { DOMParser, type Slice } from '@tiptap/pm/model'
import type { EditorView } from '@tiptap/pm/view'
import { cleanHtml } from '@/lib/clean-html'
import { EXTENSIONS } from './extensions'

// TipTap's own ways from text to content parse HTML without a Trusted Types policy. These go by DOMPurify.

/** Stored HTML as content of the editor. */
export function contentOf(html: string): object {
  return DOMParser.fromSchema(getSchema(EXTENSIONS)).parse(boxOf(html)).toJSON()
}

/** What is in the editor, as HTML; an empty text for an empty editor. */
export function htmlOf(editor: Editor): string {
  return editor.getText().trim() === '' ? '' : editor.getHTML()
}

/** Puts pasted HTML where the cursor is. */
export function pasteHtml(view: EditorView, event: ClipboardEvent): boolean {
  const html = event.clipboardData?.getData('text/html')
  if (!html) return false
  event.preventDefault()
  const transaction = view.state.tr.replaceSelection(sliceOf(view, html))
  view.dispatch(transaction.scrollIntoView().setMeta('paste', true).setMeta('uiEvent', 'paste'))
  return true
}

/** Puts HTML that was dragged from elsewhere where it is dropped. */
export function dropHtml(view: EditorView, event: DragEvent): boolean {
  const html = event.dataTransfer?.getData('text/html')
  const place = view.posAtCoords({ left: event.clientX, top: event.clientY })
  // What is dragged within the editor, it moves by itself.
  if (!html || !place || view.dragging) return false
  event.preventDefault()
  view.dispatch(view.state.tr.replaceRange(place.pos, place.pos, sliceOf(view, html)))
  return true
}

function sliceOf(view: EditorView, html: string): Slice {
  return DOMParser.fromSchema(view.state.schema).parseSlice(boxOf(html))
}

function boxOf(html: string): HTMLElement {
  const box = document.createElement('div')
  box.append(cleanHtml(html))
  return box
}
