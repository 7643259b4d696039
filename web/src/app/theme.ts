import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core'

const petrol: MantineColorsTuple = [
  '#e8f5f3',
  '#d0e9e6',
  '#a3d4ce',
  '#78c0b7',
  '#56b0a5',
  '#35988c',
  '#1f8277',
  '#146b63',
  '#0f5a53',
  '#0b4640',
]

const danger: MantineColorsTuple = [
  '#fdeceb',
  '#fad8d5',
  '#f6b3ad',
  '#f39c94',
  '#f0857b',
  '#dc4b3e',
  '#c93225',
  '#b42318',
  '#931a11',
  '#75140d',
]

const dark: MantineColorsTuple = [
  '#dde4e2',
  '#b7c2c0',
  '#98a5a2',
  '#74827f',
  '#465451',
  '#33403d',
  '#232e2c',
  '#141b1a',
  '#0f1514',
  '#0a0f0e',
]

const sans = "-apple-system, 'Segoe UI', Roboto, Inter, 'Noto Sans', 'Liberation Sans', system-ui, sans-serif"

/** One tone for each colour, chosen for contrast in both schemes; Mantine's own shades are not. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input)
  const tone = input.color === 'danger' ? 'var(--mantine-color-error)' : 'var(--color-good)'
  const mixed = (percent: number) => `color-mix(in srgb, ${tone} ${percent}%, transparent)`
  switch (input.variant) {
    case 'filled':
      return { ...colors, color: 'var(--color-on-filled)' }
    case 'light':
      return { background: mixed(13), hover: mixed(20), color: tone, border: 'none' }
    case 'subtle':
      return { background: 'transparent', hover: mixed(10), color: tone, border: 'none' }
    case 'outline':
      return { background: 'transparent', hover: mixed(8), color: tone, border: `1px solid ${tone}` }
    default:
      return colors
  }
}

/** The look: one accent, system fonts, soft corners. Built into the style sheet by `vite/theme-css.ts`. */
export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 4 },
  colors: { petrol, danger, dark },
  variantColorResolver,
  fontFamily: sans,
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace",
  headings: { fontFamily: sans, fontWeight: '650' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
})

/** What Mantine's defaults lack in contrast (WCAG AA), and the surfaces of our own. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#17211f',
    '--mantine-color-dimmed': '#56625f',
    '--mantine-color-error': '#b42318',
    '--mantine-color-anchor': 'var(--mantine-color-petrol-7)',
    '--surface-page': '#f5f7f6',
    '--surface-card': '#ffffff',
    '--surface-gate': '#0d3f3a',
    '--surface-hover': '#ebf0ee',
    '--line': '#dde3e1',
    '--line-input': '#84918e',
    '--color-good': '#146b63',
    '--color-on-filled': '#ffffff',
    '--color-warning': '#8f5400',
    '--color-star': '#b9740a',
  },
  dark: {
    '--mantine-color-body': '#141b1a',
    '--mantine-color-dimmed': 'var(--mantine-color-dark-2)',
    '--mantine-color-error': '#ff9d94',
    '--mantine-color-anchor': 'var(--mantine-color-petrol-3)',
    '--surface-page': '#141b1a',
    '--surface-card': '#1b2423',
    '--surface-gate': '#0e2926',
    '--surface-hover': '#232e2c',
    '--line': '#2f3b38',
    '--line-input': '#6d7b78',
    '--color-good': '#78c0b7',
    '--color-on-filled': '#06201d',
    '--color-warning': '#f0b35e',
    '--color-star': '#f0b35e',
  },
})
