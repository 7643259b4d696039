import {
  convertCssVariables,
  DEFAULT_THEME,
  deepMerge,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from '@mantine/core'
import type { Plugin } from 'vite'
import { cssVariablesResolver, theme } from '../src/app/theme.ts'

const ID = 'virtual:theme.css'

/**
 * Writes the theme's variables into the style sheet when the app is built.
 *
 * Mantine would set them by `innerHTML` of a `<style>` at run time, which Trusted Types forbid.
 */
export function themeCss(): Plugin {
  return {
    name: 'theme-css',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) => (id === `\0${ID}` ? variables() : undefined),
  }
}

function variables(): string {
  const merged = mergeMantineTheme(DEFAULT_THEME, theme)
  const resolved = deepMerge(defaultCssVariablesResolver(merged), cssVariablesResolver(merged))
  return convertCssVariables(resolved, ':root')
}
