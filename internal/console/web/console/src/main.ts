import { takeCode } from './sign_in/code.ts'
import { applyTheme } from './theme.ts'
import '@fanfare/elements/tokens.css'
import './page.css'

takeCode()
applyTheme()
void import('./shell/console.ts')
