import { texts } from '@/lib/texts'
import { Brand } from './brand'
import styles from './gate-panel.module.css'

const BARS = [30, 90, 150, 210, 270, 330, 390, 450, 510, 570]
const BEAMS = [40, 110, 180, 250, 320]

/** The coloured side of the pages for guests: a raised gate, and one sentence. */
export function GatePanel() {
  return (
    <aside className={styles.panel}>
      <Gate />
      <Brand />
      <div className={styles.words}>
        <p className={styles.line}>{texts.brand.line}</p>
        <p>{texts.brand.lead}</p>
      </div>
    </aside>
  )
}

function Gate() {
  return (
    <svg
      className={styles.gate}
      viewBox="0 0 600 480"
      preserveAspectRatio="xMidYMin slice"
      aria-hidden="true"
    >
      <g fill="none" stroke="currentColor" strokeWidth="10" strokeLinejoin="round">
        {BEAMS.map((y) => (
          <path key={y} d={`M0 ${y}H600`} />
        ))}
        {BARS.map((x) => (
          <path key={x} d={`M${x} 0V392`} />
        ))}
      </g>
      <g fill="currentColor">
        {BARS.map((x) => (
          <path key={x} d={`M${x - 13} 384h26l-13 48z`} />
        ))}
        {BARS.flatMap((x) => BEAMS.map((y) => <circle key={`${x}-${y}`} cx={x} cy={y} r="10" />))}
      </g>
    </svg>
  )
}
