/// <reference types="vite/client" />
declare module 'vue' {
  export interface GlobalComponents {
    VanButton: (typeof import('vant'))['Button']
    VanField: (typeof import('vant'))['Field']
    VanCell: (typeof import('vant'))['Cell']
    VanCellGroup: (typeof import('vant'))['CellGroup']
    VanSkeleton: (typeof import('vant'))['Skeleton']
    VanTag: (typeof import('vant'))['Tag']
    VanIcon: (typeof import('vant'))['Icon']
  }
}
export {}
