import vue from '@vitejs/plugin-vue'
import { VantResolver } from '@vant/auto-import-resolver'
import Components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vite'
import { dropRemoteFonts, noExternalAddress } from './build/no-external-address.ts'

export default defineConfig({
  base: '/',
  plugins: [
    dropRemoteFonts(),
    vue(),
    Components({ dirs: [], dts: false, resolvers: [VantResolver()] }),
    noExternalAddress(),
  ],
  define: { __VUE_OPTIONS_API__: 'true', __VUE_I18N_LEGACY_API__: 'false', __INTLIFY_PROD_DEVTOOLS__: 'false' },
  build: { target: 'es2022', chunkSizeWarningLimit: 400, reportCompressedSize: false },
  server: { proxy: { '/api': { target: process.env.GRAINLINE_API ?? 'http://127.0.0.1:8800' } } },
})
