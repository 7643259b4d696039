import { type MantineColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { texts } from '@/lib/texts'
import styles from './scheme-switch.module.css'

const SCHEMES = [
  { value: 'light', Icon: IconSun },
  { value: 'auto', Icon: IconDeviceDesktop },
  { value: 'dark', Icon: IconMoon },
] as const satisfies readonly { value: MantineColorScheme; Icon: typeof IconSun }[]

/** Light, dark, or as the system has it; remembered in this browser. */
export function SchemeSwitch() {
  // Mantine would stop transitions by way of `innerHTML`, which Trusted Types forbid.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  return (
    <fieldset className={styles.switch}>
      <legend className="visually-hidden">{texts.scheme.legend}</legend>
      {SCHEMES.map(({ value, Icon }) => (
        <label key={value} title={texts.scheme[value]}>
          <input
            type="radio"
            name="color-scheme"
            className="visually-hidden"
            checked={colorScheme === value}
            onChange={() => setColorScheme(value)}
          />
          <Icon size={16} aria-hidden />
          <span className="visually-hidden">{texts.scheme[value]}</span>
        </label>
      ))}
    </fieldset>
  )
}
