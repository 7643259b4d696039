import { IconCheck, IconPoint } from '@tabler/icons-react'
import { texts } from '@/lib/texts'
import type { Rule } from '../lib/rules'
import styles from './password-rules.module.css'

/** The rules, each ticked as soon as what is typed meets it. */
export function PasswordRules({ id, rules }: { id: string; rules: readonly Rule[] }) {
  return (
    <ul id={id} className={styles.rules} aria-label={texts.rules.heading}>
      {rules.map((rule) => (
        <li key={rule.text} data-met={rule.isMet || undefined}>
          {rule.isMet ? (
            <IconCheck size={16} stroke={2.5} aria-hidden />
          ) : (
            <IconPoint size={16} aria-hidden />
          )}
          {rule.isMet !== undefined && (
            <span className="visually-hidden">{rule.isMet ? texts.rules.met : texts.rules.unmet} </span>
          )}
          {rule.text}
        </li>
      ))}
    </ul>
  )
}
