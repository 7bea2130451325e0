import { createRoot } from 'react-dom/client'
import { getToken, session } from '../shared/application.ts'
import { App } from './app.tsx'

createRoot(document.getElementById('root')!).render(<App session={await session()} getToken={getToken} />)
