import { Bold } from '@tiptap/extension-bold'
import { Document } from '@tiptap/extension-document'
import { HardBreak } from '@tiptap/extension-hard-break'
import { Italic } from '@tiptap/extension-italic'
import { Link } from '@tiptap/extension-link'
import { BulletList, ListItem, ListKeymap, OrderedList } from '@tiptap/extension-list'
import { Paragraph } from '@tiptap/extension-paragraph'
import { Text } from '@tiptap/extension-text'
import { Underline } from '@tiptap/extension-underline'
import { Placeholder, UndoRedo } from '@tiptap/extensions'
import { texts } from '@/lib/texts'
import { isLinkAddress } from './link-address'

const PlainOrderedList = OrderedList.extend({ addAttributes: () => ({}) })

const SafeLink = Link.extend({
  inclusive: false,
  addAttributes: () => ({ href: { default: null }, title: { default: null } }),
}).configure({
  HTMLAttributes: { target: null, rel: null, class: null },
  openOnClick: false,
  linkOnPaste: false,
  isAllowedUri: isLinkAddress,
  shouldAutoLink: (address) => /^https?:\/\//i.test(address),
})

/** What a review may hold, as the server keeps it (guide §11.1): nothing is offered that would be lost. */
export const EXTENSIONS = [
  Document,
  Paragraph,
  Text,
  HardBreak,
  Bold,
  Italic,
  Underline,
  BulletList,
  PlainOrderedList,
  ListItem,
  ListKeymap,
  SafeLink,
  UndoRedo,
  Placeholder.configure({ placeholder: texts.editor.placeholder }),
]
