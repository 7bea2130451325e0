import { createApp } from 'vue'
import { getToken, session } from '../shared/application.ts'
import App from './App.vue'

createApp(App, { session: await session(), getToken }).mount('#root')
