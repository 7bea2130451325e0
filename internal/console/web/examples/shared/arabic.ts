import type { TextOverrides } from '@fanfare/widgets'

/** The widgets' texts in Arabic. Those that are missing are English. */
export const arabic: TextOverrides = {
  inbox: {
    label: 'الإشعارات',
    bell: (unread) => (unread > 0 ? `الإشعارات، ${unread} غير مقروءة` : 'الإشعارات'),
    tabs: { inbox: 'الوارد', unread: 'غير مقروءة', archived: 'الأرشيف' },
    markAll: 'تحديد الكل كمقروء',
    markedAll: 'تم تحديد الكل كمقروء.',
    loading: 'جارٍ تحميل الإشعارات',
    failed: 'تعذّر تحميل الإشعارات',
    more: 'تحميل المزيد',
    undo: 'تراجع',
    undone: 'تم التراجع.',
    archived: 'تمت الأرشفة.',
    snoozed: 'تم التأجيل.',
    empty: {
      inbox: { heading: 'لا جديد', text: 'يظهر هنا ما يعنيك فور حدوثه.' },
      unread: { heading: 'لا شيء غير مقروء', text: 'قرأت كل ما في الوارد.' },
      archived: { heading: 'الأرشيف فارغ', text: 'تبقى هنا الإشعارات التي تؤرشفها.' },
    },
  },
  activity: {
    label: 'آخر النشاطات',
    loading: 'جارٍ تحميل النشاطات',
    failed: 'تعذّر تحميل النشاطات',
    more: 'تحميل المزيد',
    empty: { heading: 'لا نشاط بعد', text: 'يظهر هنا ما يحدث فور حدوثه.' },
  },
  preferences: {
    label: 'إعدادات الإشعارات',
    loading: 'جارٍ تحميل الإعدادات',
    failed: 'تعذّر تحميل الإعدادات',
    saved: 'تم الحفظ.',
    muted: 'كتم كل شيء',
    mutedHint: 'تصلك مع ذلك الإشعارات الإلزامية والموجّهة إليك.',
    mode: 'أشعرني بـ',
    modes: { all: 'كل شيء', mutations: 'التغييرات', custom: 'أنماطي' },
    modeHints: {
      all: 'كل نشاط فيما تتابعه.',
      mutations: 'النشاطات التي تغيّر شيئًا.',
      custom: 'النشاطات التي يطابق إجراؤها أحد الأنماط.',
    },
    mutedActions: 'الإجراءات المكتومة',
    mutedActionsHint: 'إجراء أو نمط، مثل comment.*',
    mutedActors: 'الأشخاص المكتومون',
    none: 'لا شيء',
    add: 'إضافة',
    remove: (name) => `إزالة ${name}`,
  },
  follow: {
    follow: 'متابعة',
    following: 'متابَع',
    menu: 'الإشعارات حول هذا',
    levels: {
      none: { label: 'عدم المتابعة', hint: 'ما هو موجّه إليك أو تملكه فقط.' },
      following: { label: 'متابعة', hint: 'حسب إعداداتك.' },
      all: { label: 'كل النشاط', hint: 'كل شيء مهما كانت إعداداتك.' },
      participating: { label: 'مشارك', hint: 'بصفتك مالكًا أو مفوَّضًا فقط.' },
      ignore: { label: 'تجاهل', hint: 'الإلزامي والموجّه إليك فقط.' },
    },
  },
}
