// The code leaves the address before anything else runs.
import './sign_in/take_code.ts'
import '@fanfare/elements/tokens.css'
import './page.css'
import { applyTheme } from './theme.ts'
import './shell/console.ts'

applyTheme()
