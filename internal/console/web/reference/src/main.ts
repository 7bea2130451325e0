import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'
import { nameControls } from './names.ts'
import { layout } from './layout.ts'
import { operations } from './operations.ts'
import './page.css'
import './operation.css'
import './controls.css'
import './phone.css'
import { applyTheme } from '../../console/src/theme.ts'
import { resolve } from './resolve.ts'
import { sanitizeMarkup } from './trusted.ts'

applyTheme()
sanitizeMarkup()
SwaggerUI({
  domNode: document.getElementById('reference')!,
  url: 'openapi.json',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 2,
  displayRequestDuration: true,
  syntaxHighlight: { activated: false },
  validatorUrl: null,
  layout: 'ReferenceLayout',
  plugins: [layout, operations, resolve],
})
nameControls(document.getElementById('reference')!)
