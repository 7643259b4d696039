import '@/styles/mantine.css'
import 'virtual:theme.css'
import '@/styles/global.css'
import '@/styles/hues.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { takeTokenFromAddress } from '@/lib/link-token'
import { Providers } from './providers'

takeTokenFromAddress(window.location, window.history)

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Providers />
    </StrictMode>,
  )
}
